import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './style/index.css';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { App } from './app';
import { applyRememberedTheme } from './shell/theme';
import { LanguageProvider } from './text/language';

applyRememberedTheme();

const queries = new QueryClient({
  defaultOptions: {
    // `always`: localhost answers even if the browser reports that it is offline.
    queries: { retry: 1, refetchOnWindowFocus: true, networkMode: 'always' },
    mutations: { networkMode: 'always' },
  },
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <LanguageProvider>
        <BrowserRouter>
          <App />
        </BrowserRouter>
      </LanguageProvider>
    </QueryClientProvider>
  </StrictMode>,
);
