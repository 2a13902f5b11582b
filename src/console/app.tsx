import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { type ApiError, api, whenSignedOut } from './api/client.ts';
import { Notice } from './components/notice.tsx';
import { CallsPage } from './pages/calls-page.tsx';
import { SignInPage } from './pages/sign-in-page.tsx';

/** Brings the SIP user agent along: only for who wants to call. */
const PhonePage = lazy(() => import('./pages/phone-page.tsx').then((module) => ({ default: module.PhonePage })));

const SupervisePage = lazy(() =>
  import('./pages/supervise-page.tsx').then((module) => ({ default: module.SupervisePage })),
);

const CallsOutPage = lazy(() =>
  import('./pages/calls-out-page.tsx').then((module) => ({ default: module.CallsOutPage })),
);

type Access = { state: 'asking' | 'signed-in' | 'signed-out' } | { state: 'failed'; error: string };

/** The gate: asks whether this browser is signed in, and shows the sign-in or the console. */
export function App() {
  const [access, setAccess] = useState<Access>({ state: 'asking' });

  const ask = useCallback(() => {
    setAccess({ state: 'asking' });
    api.signedIn().then(
      (signedIn) => setAccess({ state: signedIn ? 'signed-in' : 'signed-out' }),
      (error: ApiError) => setAccess({ state: 'failed', error: error.message }),
    );
  }, []);

  useEffect(() => {
    whenSignedOut(() => setAccess({ state: 'signed-out' }));
    ask();
  }, [ask]);

  const signOut = useCallback(() => {
    void api
      .signOut()
      .catch(() => undefined)
      .then(() => setAccess({ state: 'signed-out' }));
  }, []);

  switch (access.state) {
    case 'asking':
      return null;
    case 'failed':
      return (
        <main>
          <Notice alone title="No connection" text={access.error} action="Try again" onAction={ask} tone="error" />
        </main>
      );
    case 'signed-out':
      return <SignInPage onSignedIn={() => setAccess({ state: 'signed-in' })} />;
    case 'signed-in':
      return (
        <Suspense fallback={null}>
          <Page onSignOut={signOut} />
        </Suspense>
      );
  }
}

function Page({ onSignOut }: { onSignOut: () => void }) {
  if (location.pathname === '/phone') return <PhonePage onSignOut={onSignOut} />;
  if (location.pathname === '/supervise') return <SupervisePage onSignOut={onSignOut} />;
  if (location.pathname.split('/')[1] === 'calls-out') return <CallsOutPage onSignOut={onSignOut} />;
  return <CallsPage onSignOut={onSignOut} />;
}
