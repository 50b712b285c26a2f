import { useProcesses } from '../api/processes';
import { FailingExperiment } from '../failure-lab/failing-experiment';
import { FiveTimesExperiment } from '../failure-lab/five-times-experiment';
import { KillExperiment } from '../failure-lab/kill-experiment';
import { ProcessesCard } from '../failure-lab/processes-card';
import { RelayExperiment } from '../failure-lab/relay-experiment';
import { Page } from '../parts/page';
import { useText } from '../text/language';

export function FailureLabView() {
  const { failureLab } = useText();
  const { data: processes = [], isFetched } = useProcesses();
  const isSupervised = processes.length > 0;
  return (
    <Page title={failureLab.title} lead={failureLab.lead}>
      <div className="failure-lab">
        <FiveTimesExperiment />
        <FailingExperiment />
        {isSupervised && <KillExperiment />}
        {isSupervised && <RelayExperiment />}
      </div>
      {isSupervised && <ProcessesCard processes={processes} />}
      {isFetched && !isSupervised && <p className="quiet hint-line">{failureLab.unsupervised}</p>}
    </Page>
  );
}
