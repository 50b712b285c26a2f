// Ends the process with one sentence on a Node that is too old for the rest of this repository. Loaded before anything
// else, so that it is that sentence which a person sees, and no stack: every Node since 0.10 has to parse this file.
// The version is the one of "engines" in package.json, which the image does not hold.
var wanted = [20, 20];
var found = process.versions.node.split('.').map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  process.stderr.write(
    'Expected Node ' +
      wanted.join('.') +
      ' or later, got Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). Install a newer one from https://nodejs.org, or switch to one with your version manager.\n',
  );
  process.exit(1);
}
