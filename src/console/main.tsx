import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/call-list.css';
import './styles/call.css';
import './styles/recording.css';
import './styles/sip-ladder.css';
import './styles/phone.css';
import './styles/calls-out.css';
import './styles/supervise.css';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
