import { Navigate, Route, Routes } from 'react-router';
import { useLiveJobs } from './api/live';
import { useLogOut } from './api/session';
import { Shell } from './shell/shell';
import { BrokersView } from './views/brokers-view';
import { DeadLetterView } from './views/dead-letter-view';
import { DeadLettersView } from './views/dead-letters-view';
import { FailureLabView } from './views/failure-lab-view';
import { JobView } from './views/job-view';
import { JobsView } from './views/jobs-view';
import { LoggedOutView } from './views/logged-out-view';
import { MailboxView } from './views/mailbox-view';
import { NotFoundView } from './views/not-found-view';
import { ProductsView } from './views/products-view';
import { SendView } from './views/send-view';
import { WebhooksView } from './views/webhooks-view';

export function App() {
  const logOut = useLogOut();
  return logOut.isIdle ? <Views onLogOut={() => logOut.mutate()} /> : <LoggedOutView logOut={logOut} />;
}

function Views({ onLogOut }: { onLogOut: () => void }) {
  useLiveJobs();
  return (
    <Routes>
      {/* The former address of the failure lab. */}
      <Route path="/app/trials" element={<Navigate to="/app/failure-lab" replace />} />
      <Route element={<Shell onLogOut={onLogOut} />}>
        <Route index element={<SendView />} />
        <Route path="/app/jobs" element={<JobsView />} />
        <Route path="/app/jobs/:id" element={<JobView />} />
        <Route path="/app/failure-lab" element={<FailureLabView />} />
        <Route path="/app/mailbox" element={<MailboxView />} />
        <Route path="/app/products" element={<ProductsView />} />
        <Route path="/app/webhooks" element={<WebhooksView />} />
        <Route path="/app/brokers" element={<BrokersView />} />
        <Route path="/app/dead-letters" element={<DeadLettersView />} />
        <Route path="/app/dead-letters/:id" element={<DeadLetterView />} />
        <Route path="*" element={<NotFoundView />} />
      </Route>
    </Routes>
  );
}
