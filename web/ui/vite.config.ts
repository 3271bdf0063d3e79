import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The page is served with a policy that permits no inline script and no inline
// style, so nothing small is put into the HTML or into the script as data.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'node_modules/.built',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
  },
  json: { stringify: true },
  // For `npm run dev` beside a gateway of one's own: PORTICO=http://127.0.0.1:8045
  server: { proxy: { '/api': process.env.PORTICO ?? 'http://127.0.0.1:8045' } },
});
