import { useProcesses } from '../api/processes';
import { Page } from '../parts/page';
import { useText } from '../text/language';
import { FailingTrial } from '../trials/failing-trial';
import { FiveTimesTrial } from '../trials/five-times-trial';
import { KillTrial } from '../trials/kill-trial';
import { ProcessesCard } from '../trials/processes-card';
import { RelayTrial } from '../trials/relay-trial';

export function TrialsView() {
  const { trials } = useText();
  const { data: processes = [], isFetched } = useProcesses();
  const isSupervised = processes.length > 0;
  return (
    <Page title={trials.title} lead={trials.lead}>
      <div className="trials">
        <FiveTimesTrial />
        <FailingTrial />
        {isSupervised && <KillTrial />}
        {isSupervised && <RelayTrial />}
      </div>
      {isSupervised && <ProcessesCard processes={processes} />}
      {isFetched && !isSupervised && <p className="quiet hint-line">{trials.unsupervised}</p>}
    </Page>
  );
}
