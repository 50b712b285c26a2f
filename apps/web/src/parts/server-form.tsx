import { useEffect, useRef, useState, type SubmitEvent, type ReactNode } from 'react';
import { ProblemError } from '../api/problem';
import { useText } from '../text/language';
import { FaultsProvider } from './field';
import { ProblemNote } from './problem-note';
import { readForm } from '../jobs/read-form';

/** A form whose rules are the server's: it is sent as it is, and what the server names is shown beside its field. */
export function ServerForm({ submit, submitLabel, children, onSubmit }: ServerFormProps) {
  const text = useText();
  const form = useRef<HTMLFormElement>(null);
  const [{ error, isAboutFields }, setFault] = useState<Fault>({ error: undefined, isAboutFields: false });
  const [isSending, setSending] = useState(false);
  const faults = error instanceof ProblemError ? error.errors : [];

  useEffect(() => {
    // To the first field that needs a change, for those who do not see the page as well.
    form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [error]);

  async function send(event: SubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const { elements } = event.currentTarget;
    setSending(true);
    try {
      await onSubmit(readForm(event.currentTarget));
      setFault({ error: undefined, isAboutFields: false });
    } catch (error) {
      const named = error instanceof ProblemError ? error.errors : [];
      setFault({ error, isAboutFields: named.some(({ path }) => elements.namedItem(path) !== null) });
    } finally {
      setSending(false);
    }
  }

  return (
    <form ref={form} onSubmit={(event) => void send(event)} noValidate>
      <FaultsProvider value={faults}>{children}</FaultsProvider>
      {error !== undefined &&
        (isAboutFields ? (
          <p className="note note-bad" role="alert">
            {text.form.faults(faults.length)}
          </p>
        ) : (
          <ProblemNote error={error} />
        ))}
      <div className="form-end">
        <button type="submit" className="button-main" disabled={isSending}>
          {isSending ? text.send.sending : submitLabel}
        </button>
        {submit}
      </div>
    </form>
  );
}

interface Fault {
  readonly error: unknown;
  /** Whether what is wrong stands beside fields that can be seen. */
  readonly isAboutFields: boolean;
}

interface ServerFormProps {
  readonly submitLabel: string;
  /** Beside the button. */
  readonly submit?: ReactNode;
  readonly children: ReactNode;
  /** @throws ProblemError whose faults are shown */
  readonly onSubmit: (body: Record<string, unknown>) => Promise<void>;
}
