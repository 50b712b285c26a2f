import { Route, Routes } from 'react-router';
import { useLiveJobs } from './api/live';
import { Shell } from './shell/shell';
import { BrokersView } from './views/brokers-view';
import { DeadLettersView } from './views/dead-letters-view';
import { JobView } from './views/job-view';
import { JobsView } from './views/jobs-view';
import { MailboxView } from './views/mailbox-view';
import { NotFoundView } from './views/not-found-view';
import { ProductsView } from './views/products-view';
import { SendView } from './views/send-view';
import { TrialsView } from './views/trials-view';
import { WebhooksView } from './views/webhooks-view';

export function App() {
  useLiveJobs();
  return (
    <Routes>
      <Route element={<Shell />}>
        <Route index element={<SendView />} />
        <Route path="/app/jobs" element={<JobsView />} />
        <Route path="/app/jobs/:id" element={<JobView />} />
        <Route path="/app/trials" element={<TrialsView />} />
        <Route path="/app/mailbox" element={<MailboxView />} />
        <Route path="/app/products" element={<ProductsView />} />
        <Route path="/app/webhooks" element={<WebhooksView />} />
        <Route path="/app/brokers" element={<BrokersView />} />
        <Route path="/app/dead-letters" element={<DeadLettersView />} />
        <Route path="*" element={<NotFoundView />} />
      </Route>
    </Routes>
  );
}
