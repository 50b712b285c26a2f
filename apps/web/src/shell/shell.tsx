import { useEffect, useRef } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';
import { useConnection } from '../api/connection';
import { useHasRoute } from '../api/routes';
import { useHasSession } from '../api/session';
import { Icon, type IconName } from '../parts/icon';
import markUrl from '../style/mark.svg';
import type { Dictionary } from '../text/en';
import { useText } from '../text/language';
import { Settings } from './settings';

interface Entry {
  readonly path: string;
  readonly name: keyof Dictionary['nav'];
  readonly icon: IconName;
  /** The menu shows the entry only if the server has this route. */
  readonly route: string;
}

const entries: Record<'work' | 'system', readonly Entry[]> = {
  work: [
    { path: '/', name: 'send', icon: 'send', route: 'POST /v1/emails' },
    { path: '/app/jobs', name: 'jobs', icon: 'jobs', route: 'GET /v1/jobs' },
    { path: '/app/failure-lab', name: 'failureLab', icon: 'bolt', route: 'POST /v1/emails' },
    { path: '/app/mailbox', name: 'mailbox', icon: 'mail', route: 'GET /dev/mailbox' },
    { path: '/app/products', name: 'products', icon: 'box', route: 'GET /v1/products' },
  ],
  system: [
    { path: '/app/brokers', name: 'brokers', icon: 'broker', route: 'GET /v1/brokers' },
    { path: '/app/dead-letters', name: 'deadLetters', icon: 'deadLetter', route: 'GET /v1/dead-letters' },
    { path: '/app/webhooks', name: 'webhooks', icon: 'webhook', route: 'GET /v1/webhooks' },
  ],
};

export function Shell({ onLogOut }: { onLogOut: () => void }) {
  const text = useText();
  const hasRoute = useHasRoute();
  const hasSession = useHasSession();
  const main = useFocusOnNewPage();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {text.skipToContent}
      </a>
      <header className="side">
        <div className="brand">
          <img src={markUrl} alt="" width="28" height="28" />
          <span>node-message-queue</span>
        </div>
        <nav aria-label={text.nav.label}>
          {(['work', 'system'] as const).map((group) => (
            <ul key={group} data-title={text.nav[group]}>
              {entries[group]
                .filter(({ route }) => hasRoute(route))
                .map(({ path, name, icon }) => (
                  <li key={path}>
                    <NavLink to={path} end={path === '/'}>
                      <Icon name={icon} />
                      {text.nav[name]}
                    </NavLink>
                  </li>
                ))}
              {group === 'system' && <OtherPages />}
            </ul>
          ))}
        </nav>
        <div className="side-end">
          <LiveSign />
          <Settings />
          {hasSession && (
            <button type="button" className="button-small" onClick={onLogOut}>
              {text.logOut}
            </button>
          )}
        </div>
      </header>
      <main id="content" tabIndex={-1} ref={main}>
        <Outlet />
      </main>
    </div>
  );
}

function OtherPages() {
  const text = useText();
  return (
    <>
      <li>
        <a href="/admin/queues">
          <Icon name="board" />
          {text.nav.board}
          <Icon name="out" />
        </a>
      </li>
      <li>
        <a href="/docs">
          <Icon name="docs" />
          {text.nav.routes}
          <Icon name="out" />
        </a>
      </li>
    </>
  );
}

function LiveSign() {
  const text = useText();
  const connection = useConnection();
  return (
    <p className={`live-sign is-${connection}`} role="status">
      {text.live[connection]}
    </p>
  );
}

/** Moves the focus to the start of each new page. Screen readers and the keyboard continue from there. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
