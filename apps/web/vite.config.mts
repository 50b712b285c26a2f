import { defineConfig } from 'vite';
import { apiAddress } from '../../scripts/api-address.mjs';

/** `npm run web` serves this folder and proxies the API's routes to the API. */
const api = { target: apiAddress(), changeOrigin: false };

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: '../../dist/apps/web',
    emptyOutDir: true,
    // The build writes the licences of all bundled packages to this file.
    license: { fileName: 'licenses.md' },
    // The Content-Security-Policy allows no script from a `data:` URL. So fonts and images stay files too.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog: (level, log, print) => {
        // Libraries contain "use client" for servers that render React. This project has no such server.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') print(level, log);
      },
    },
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries(['/v1', '/dev', '/docs', '/docs-json', '/admin', '/health'].map((path) => [path, api])),
  },
});
