// For a process of a test, with --require: answers the message "packages" with the names of the packages that it has
// loaded, and with those of Prisma's WebAssembly modules.
'use strict';

const path = /node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)(?:.*[\\/](query_compiler_\w+))?/;

process.on('message', (message) => {
  if (message !== 'packages') return;
  const names = Object.keys(require.cache).flatMap((file) =>
    path.exec(file.replace(/.*(?=node_modules)/, ''))?.slice(1),
  );
  process.send({ packages: [...new Set(names.filter(Boolean))].map((name) => name.replace('\\', '/')) });
});
