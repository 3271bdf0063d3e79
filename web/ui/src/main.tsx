import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './styles/base.css';
import './styles/kit.css';
import './styles/shell.css';
import { App } from './app/app';
import { startLanguage } from './i18n';

const root = document.getElementById('root');
if (root) {
  void startLanguage('shell', 'kit', 'faults').then(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
