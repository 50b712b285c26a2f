import { jobNames } from './names';

describe('jobNames', () => {
  it('makes every name of a job from its kind', () => {
    expect(jobNames('credit-note.send')).toEqual({
      kind: 'credit-note.send',
      noun: 'credit-note',
      file: 'send-credit-note',
      definition: 'sendCreditNote',
      title: 'SendCreditNote',
      plural: 'credit-notes',
      controller: 'CreditNotes',
      routes: 'creditNoteRoutes',
      field: 'creditNoteId',
      words: 'credit note',
      summary: 'Send a credit note',
    });
    expect(jobNames('invoice.re-issue')).toMatchObject({ title: 'ReIssueInvoice', summary: 'Re issue an invoice' });
  });

  it.each([
    ['invoice', 'invoices'],
    ['company', 'companies'],
    ['survey', 'surveys'],
    ['address', 'addresses'],
    ['box', 'boxes'],
    ['batch', 'batches'],
  ])('makes the plural of %s for the route', (noun, plural) => {
    expect(jobNames(`${noun}.make`)!.plural).toBe(plural);
  });

  it.each([
    '',
    'invoice',
    'invoice.',
    '.make',
    'a.b.c',
    'Invoice.make',
    'in_voice.make',
    '1st.make',
    '-a.make',
    'a-.make',
  ])('refuses "%s"', (name) => {
    expect(jobNames(name)).toBeUndefined();
  });
});
