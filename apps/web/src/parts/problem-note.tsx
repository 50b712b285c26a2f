import { ProblemError } from '../api/problem';
import { useText } from '../text/language';

/** Shows the title and the detail of the server's problem document unchanged. */
export function ProblemNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const text = useText();
  if (!error) return null;
  const [title, detail] =
    error instanceof ProblemError ? [error.title, error.message] : [text.problem.failed, text.problem.unreachable];
  return (
    <div className="note note-bad" role="alert">
      <strong>{title}</strong>
      <p>{detail}</p>
      {onRetry && (
        <button type="button" className="button-small" onClick={onRetry}>
          {text.problem.again}
        </button>
      )}
    </div>
  );
}
