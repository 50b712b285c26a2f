import { useEffect, useRef, useState, type SubmitEvent, type ReactNode } from 'react';
import { ProblemError } from '../api/problem';
import { useText } from '../text/language';
import { FaultsProvider } from './field';
import { ProblemNote } from './problem-note';
import { readForm } from '../jobs/read-form';

/**
 * A form whose rules are the server's: it is sent as it is, and what the server names is shown beside its field.
 * It has one outcome at a time, so a success never stands beside the error of a later try.
 */
export function ServerForm({ submitLabel, children, onSubmit }: ServerFormProps) {
  const text = useText();
  const form = useRef<HTMLFormElement>(null);
  const [{ error, isAboutFields, done }, setOutcome] = useState<Outcome>(none);
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
    setOutcome((last) => ({ ...last, done: undefined }));
    try {
      setOutcome({ ...none, done: await onSubmit(readForm(event.currentTarget)) });
    } catch (error) {
      const named = error instanceof ProblemError ? error.errors : [];
      setOutcome({ ...none, error, isAboutFields: named.some(({ path }) => elements.namedItem(path) !== null) });
    } finally {
      setSending(false);
    }
  }

  return (
    <form
      ref={form}
      onSubmit={(event) => void send(event)}
      // What is changed now is not what was saved.
      onInput={() => done !== undefined && setOutcome(none)}
      noValidate
    >
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
        <span role="status">{done}</span>
      </div>
    </form>
  );
}

interface Outcome {
  readonly error: unknown;
  /** Whether what is wrong stands beside fields that can be seen. */
  readonly isAboutFields: boolean;
  /** What to say of a success. */
  readonly done: string | undefined;
}

const none: Outcome = { error: undefined, isAboutFields: false, done: undefined };

interface ServerFormProps {
  readonly submitLabel: string;
  readonly children: ReactNode;
  /**
   * @returns what to say of the success, if anything
   * @throws ProblemError whose faults are shown
   */
  readonly onSubmit: (body: Record<string, unknown>) => Promise<string | undefined>;
}
