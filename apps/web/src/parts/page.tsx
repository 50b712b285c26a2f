import type { ReactNode } from 'react';

export function Page({ title, lead, action, children }: PageProps) {
  return (
    <>
      <title>{`${title} · node-message-queue`}</title>
      <div className="page-head">
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p className="lead">{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </>
  );
}

interface PageProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}
