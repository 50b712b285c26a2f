import type { JobState } from '../api/jobs';
import { useText } from '../text/language';

export function StateBadge({ state }: { state: JobState }) {
  return <span className={`badge badge-${state}`}>{useText().states[state]}</span>;
}
