import { useId } from 'react';
import { useBrokers } from '../api/brokers';
import { answerOf, api } from '../api/client';
import { useRedrives, useRefreshRedrives } from '../api/redrives';
import { useJobRoutes } from '../api/routes';
import { SelectField, TextField } from '../parts/field';
import { Listing } from '../parts/listing';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';
import { RedriveRow } from './redrive-row';

interface Letter {
  readonly kind: string | null;
  readonly reason: string;
}

/**
 * Redrives of many dead letters, some per second: a form that begins one, and the newest ones. For callers who may begin
 * one.
 * @param letters whose kinds and reasons the form suggests
 */
export function Redrives({ letters }: { letters: readonly Letter[] }) {
  const { redrives: text } = useText();
  const redrives = useRedrives();
  return (
    <section className="card spaced" aria-labelledby="redrives">
      <h2 id="redrives">{text.title}</h2>
      <p>{text.lead}</p>
      <BeginForm letters={letters} />
      <Listing query={redrives} rows={redrives.data?.items} none={text.none}>
        {(redrive) => <RedriveRow key={redrive.id} redrive={redrive} />}
      </Listing>
    </section>
  );
}

function BeginForm({ letters }: { letters: readonly Letter[] }) {
  const { redrives: text } = useText();
  const refresh = useRefreshRedrives();
  const brokers = useBrokers().data?.items ?? [];
  const sendable = useJobRoutes().map(({ kind }) => kind);
  const dead = letters.flatMap(({ kind }) => (kind === null ? [] : [kind]));

  async function begin(body: Record<string, unknown>): Promise<string> {
    // Without a filter, the form has no field of it.
    await answerOf(api.POST('/v1/redrives', { body: { filter: {}, ...body } }));
    await refresh();
    return text.begun;
  }

  return (
    <ServerForm submitLabel={text.begin} onSubmit={begin}>
      <div className="field-pair">
        <SuggestedField label={text.kind} name="filter.kind" among={[...sendable, ...dead]} />
        <SuggestedField
          label={text.reason}
          name="filter.reason"
          among={['attempts_exhausted', ...letters.map(({ reason }) => reason)]}
        />
        <SelectField label={text.broker} name="filter.broker">
          <option value="">{text.anyBroker}</option>
          {brokers.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
        <TextField label={text.perSecond} name="perSecond" type="number" min={1} max={100} defaultValue={10} />
      </div>
      <p className="hint">{text.filterHint}</p>
      <details className="options">
        <summary>{text.more}</summary>
        <div className="field-pair is-wide">
          <TextField label={text.tenant} name="filter.tenant" isOptional spellCheck={false} />
          <TextField label={text.after} name="filter.after" type="datetime-local" isOptional />
          <TextField label={text.before} name="filter.before" type="datetime-local" isOptional />
        </div>
      </details>
    </ServerForm>
  );
}

/** An optional text field that suggests values and accepts any other. */
function SuggestedField({ label, name, among }: { label: string; name: string; among: readonly string[] }) {
  const id = useId();
  return (
    <>
      <TextField label={label} name={name} list={id} isOptional autoComplete="off" spellCheck={false} />
      <datalist id={id}>
        {[...new Set(among)].sort().map((value) => (
          <option key={value} value={value} />
        ))}
      </datalist>
    </>
  );
}
