import { useState, type ComponentType } from 'react';
import { SelectField, TextArea, TextField } from '../parts/field';
import type { Dictionary } from '../text/en';
import { useText } from '../text/language';

/** A kind of job that the page can send: its route, and the fields of its body. */
export interface Kind {
  readonly name: keyof Dictionary['send']['kinds'] & keyof Dictionary['send']['submit'];
  readonly path: string;
  readonly Fields: ComponentType;
  readonly isMultipart?: boolean;
}

export const kinds: readonly Kind[] = [
  { name: 'email', path: '/v1/emails', Fields: EmailFields },
  { name: 'sms', path: '/v1/sms', Fields: SmsFields },
  { name: 'report', path: '/v1/reports', Fields: ReportFields },
  { name: 'image', path: '/v1/images', Fields: ImageFields, isMultipart: true },
  { name: 'sync', path: '/v1/sync-runs', Fields: SyncFields },
];

const templates = { text: '', html: '', welcome: 'welcome', 'order-shipped': 'order-shipped' } as const;

function EmailFields() {
  const { form } = useText();
  const [body, setBody] = useState<keyof typeof templates>('text');
  return (
    <>
      <TextField label={form.to} name="to" type="email" autoComplete="email" defaultValue="ada@example.com" />
      <TextField label={form.subject} name="subject" defaultValue="Your order is on its way" />
      <div className="field">
        <label htmlFor="email-body">{form.body}</label>
        <select id="email-body" value={body} onChange={({ target }) => setBody(target.value as keyof typeof templates)}>
          <option value="text">{form.bodyText}</option>
          <option value="html">{form.bodyHtml}</option>
          <option value="welcome">{form.templateWelcome}</option>
          <option value="order-shipped">{form.templateShipped}</option>
        </select>
      </div>
      {body === 'text' && <TextArea label={form.text} name="text" defaultValue="Hello Ada" />}
      {body === 'html' && <TextArea label={form.html} name="html" defaultValue="<p>Hello <b>Ada</b></p>" />}
      {templates[body] !== '' && <input type="hidden" name="template" value={templates[body]} />}
      {templates[body] !== '' && <TextField label={form.recipientName} name="data.name" defaultValue="Ada" />}
      {body === 'welcome' && <TextField label={form.confirmUrl} name="data.confirmUrl" type="url" isOptional />}
      {body === 'order-shipped' && (
        <>
          <TextField label={form.orderNumber} name="data.orderNumber" defaultValue="4711" />
          <TextField
            label={form.trackingUrl}
            name="data.trackingUrl"
            type="url"
            defaultValue="https://example.com/track/4711"
          />
        </>
      )}
    </>
  );
}

function SmsFields() {
  const { form } = useText();
  return (
    <>
      <TextField label={form.phone} name="to" type="tel" hint={form.phoneHint} defaultValue="+4915112345678" />
      <TextArea label={form.text} name="text" defaultValue="Your code is 1234" />
    </>
  );
}

function ReportFields() {
  const { form } = useText();
  return (
    <>
      <div className="field-pair">
        <SelectField label={form.report} name="type">
          <option value="orders">{form.orders}</option>
        </SelectField>
        <SelectField label={form.format} name="format">
          <option value="csv">CSV</option>
          <option value="xlsx">XLSX</option>
          <option value="pdf">PDF</option>
        </SelectField>
      </div>
      <div className="field-pair">
        <TextField label={form.from} name="from" type="date" isOptional />
        <TextField label={form.until} name="to" type="date" isOptional />
      </div>
    </>
  );
}

function ImageFields() {
  const { form } = useText();
  return <TextField label={form.file} name="file" type="file" accept="image/*" />;
}

function SyncFields() {
  const { form } = useText();
  return (
    <SelectField label={form.source} name="source">
      <option value="products">{form.products}</option>
    </SelectField>
  );
}
