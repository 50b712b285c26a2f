import { useState } from 'react';
import { TextArea, TextField } from '../parts/field';
import { useText } from '../text/language';

const templates = { text: '', html: '', welcome: 'welcome', 'order-shipped': 'order-shipped' } as const;

/** The body of an email is text, HTML or a template, and each template has its own data: a schema does not say so. */
export function EmailFields() {
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
