import type { useLogOut } from '../api/session';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';

/** Replaces the whole page as soon as the log-out begins. */
export function LoggedOutView({ logOut }: { logOut: ReturnType<typeof useLogOut> }) {
  const { loggedOut: text, loading } = useText();
  if (logOut.isPending) return <main className="alone">{loading}</main>;
  return (
    <main className="alone">
      {logOut.error ? (
        <Page title={text.failed}>
          <ProblemNote error={logOut.error} onRetry={() => logOut.mutate()} />
        </Page>
      ) : (
        <Page title={text.title} lead={text.lead}>
          {/* Browsers obey `Clear-Site-Data` only in a secure context. */}
          {!isSecureContext && <p className="note">{text.passwordIsKept}</p>}
          <button type="button" className="button-main" onClick={() => location.assign('/')}>
            {text.again}
          </button>
        </Page>
      )}
    </main>
  );
}
