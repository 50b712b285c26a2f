import { useState } from 'react';
import { useBrokers } from '../api/brokers';
import { SelectField, TextField } from '../parts/field';
import { useText } from '../text/language';

/** The options that every kind of job accepts beside its payload. */
export function OptionFields() {
  const { form } = useText();
  const brokers = useBrokers().data?.items ?? [];
  const [key, setKey] = useState('');
  return (
    <details className="options">
      <summary>{form.options}</summary>
      <SelectField label={form.broker} name="options.broker">
        <option value="">{form.brokerDefault}</option>
        {brokers.map(({ name, state }) => (
          <option key={name} value={name}>
            {state === 'not_configured' ? form.brokerMissing(name) : name}
          </option>
        ))}
      </SelectField>
      <div className="field-pair">
        <SelectField label={form.priority} name="options.priority">
          <option value="">{form.priorityDefault}</option>
          <option value="high">{form.high}</option>
          <option value="normal">{form.normal}</option>
          <option value="low">{form.low}</option>
        </SelectField>
        <TextField label={form.delay} name="options.delayMs" type="number" min={0} step={500} isOptional />
      </div>
      <TextField
        label={form.key}
        name="Idempotency-Key"
        hint={form.keyHint}
        isOptional
        value={key}
        onChange={({ target }) => setKey(target.value)}
        spellCheck={false}
        action={
          <button type="button" onClick={() => setKey(aKey())}>
            {form.newKey}
          </button>
        }
      />
    </details>
  );
}

/** Makes a random idempotency key. `crypto.randomUUID` needs a secure origin, which a development server may not be. */
export function aKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
