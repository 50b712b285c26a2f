import { useState } from 'react';
import { Link } from 'react-router';
import { useMailbox, useWhole, type CaughtMessage } from '../api/mailbox';
import { Icon } from '../parts/icon';
import { Listing } from '../parts/listing';
import { Page } from '../parts/page';
import { ProblemNote } from '../parts/problem-note';
import { useText } from '../text/language';
import { useTime } from '../text/time';

export function MailboxView() {
  const { mailbox } = useText();
  const messages = useMailbox();
  const keyed = withKeys(messages.data);
  return (
    <Page title={mailbox.title} lead={mailbox.lead}>
      <section className="card" aria-label={mailbox.title}>
        <Listing query={messages} rows={keyed} none={mailbox.none}>
          {({ key, message, isCopy }) => <Message key={key} message={message} isCopy={isCopy} />}
        </Listing>
      </section>
    </Page>
  );
}

function Message({ message, isCopy }: { message: CaughtMessage; isCopy: boolean }) {
  const { mailbox } = useText();
  const time = useTime();
  const [isOpen, setOpen] = useState(false);
  const { data: { text, html } = message, error } = useWhole(message, isOpen);
  return (
    <li className="message">
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <Icon name="open" />
          <span className="row-main">
            <strong>
              {message.subject ?? mailbox.noSubject} {isCopy && <span className="badge">{mailbox.copy}</span>}
            </strong>
            <span className="quiet">{message.to}</span>
          </span>
          <time className="row-side row-end" dateTime={message.at}>
            {time.at(message.at)}
          </time>
        </summary>
        <div className="message-body">
          {error && <ProblemNote error={error} />}
          {text !== '' && <p className="plain-text">{text}</p>}
          {html !== undefined && (
            <details>
              <summary>{mailbox.showHtml}</summary>
              <pre className="json" tabIndex={0} aria-label={mailbox.showHtml}>
                {html}
              </pre>
            </details>
          )}
          <p className="quiet">
            <code>{message.messageId}</code>
          </p>
        </div>
      </details>
      {message.jobId !== null && (
        <Link className="message-job" to={`/app/jobs/${message.jobId}`}>
          {mailbox.job}
          <span className="visually-hidden"> {message.jobId.slice(-12)}</span>
        </Link>
      )}
    </li>
  );
}

/**
 * Gives each message a stable key. Copies share a Message-ID, and the list grows at its start. So this function counts
 * the copies from the end of the list.
 */
function withKeys(messages: readonly CaughtMessage[] | undefined) {
  return messages?.map((message, index) => {
    const copy = messages.slice(index + 1).filter(({ messageId }) => messageId === message.messageId).length;
    return { key: `${message.messageId} ${copy}`, message, isCopy: copy > 0 };
  });
}
