import { defineConfig } from 'vite';
import { apiAddress } from '../../scripts/api-address.mjs';

/** `npm run web` serves this folder and hands everything that is the API's on to it. */
const api = { target: apiAddress(), changeOrigin: false };

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: '../../dist/apps/web',
    emptyOutDir: true,
    // Of everything that becomes a part of the script, the text of its licence.
    license: { fileName: 'licenses.md' },
    // The policy of the pages knows no data: scripts; fonts and pictures have names of their own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    rolldownOptions: {
      onLog: (level, log, print) => {
        // Libraries say "use client" to servers that render React; there is none here.
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
