import { allStatements, statement, type Database } from './statement';

/** Records what a statement sends. */
function recorder() {
  const sent: Parameters<Database['query']>[0][] = [];
  const database: Database = {
    query: (config) => {
      sent.push(config);
      return Promise.resolve({ rows: [{ id: 7 }] });
    },
  };
  return { database, sent };
}

describe('a statement', () => {
  it('numbers its parameters in the order of their keys, with a cast at each use', async () => {
    const { database, sent } = recorder();
    const rename = statement<{ id: number }>('rename').with(
      { ids: 'uuid[]', name: 'text?', notes: 'text?[]', tags: 'text[]?' },
      ($) =>
        `UPDATE run SET name = ${$.name}, tags = ${$.tags}, notes = ${$.notes} WHERE ${$.name} <> '' AND id = ANY (${$.ids})`,
    );

    expect(rename.text).toBe(
      `UPDATE run SET name = $2::text, tags = $4::text[], notes = $3::text[] WHERE $2::text <> '' AND id = ANY ($1::uuid[])`,
    );
    await expect(rename.run(database, { tags: ['c'], notes: ['b', null], name: 'a', ids: ['1'] })).resolves.toEqual([
      { id: 7 },
    ]);
    expect(sent).toEqual([{ name: 'rename', text: rename.text, values: [['1'], 'a', ['b', null], ['c']] }]);
  });

  it('sends null for undefined, and ignores values that it has no parameter for', async () => {
    const { database, sent } = recorder();
    const read = statement<never>('read').with({ kind: 'text?', least: 'int' }, ($) => `SELECT ${$.kind}, ${$.least}`);
    const row = { kind: undefined, least: 0, other: 'x' };
    await read.run(database, row);
    expect(sent[0]!.values).toEqual([null, 0]);
  });

  it('may have no parameters', async () => {
    const { database, sent } = recorder();
    await statement<never>('now').text('SELECT now()').run(database);
    expect(sent).toEqual([{ name: 'now', text: 'SELECT now()', values: [] }]);
  });

  it('must use each parameter', () => {
    const parameters = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`p${n + 1}`, 'int' as const]));
    expect(() =>
      statement('unused').with(parameters, ($) =>
        Object.entries($)
          .filter(([key]) => key !== 'p1')
          .map(([, placeholder]) => placeholder)
          .join(),
      ),
    ).toThrow(new RangeError('The statement unused does not use its parameter p1.'));
  });

  it('is kept with all others', () => {
    const kept = statement<never>('kept').with({ id: 'bigint' }, ($) => `SELECT ${$.id}`);
    expect(allStatements()).toContain(kept);
  });

  it('compiles only with all parameters, each of its type', () => {
    const insert = statement<never>('insert').with(
      { key: 'text', size: 'int', at: 'timestamptz', note: 'text?', ids: 'uuid[]', raw: 'bytea' },
      ($) => `VALUES (${$.key}, ${$.size}, ${$.at}, ${$.note}, ${$.ids}, ${$.raw})`,
    );
    const plain = statement<never>('plain').text('SELECT 1');
    const values = { key: 'a', size: 1, at: new Date(0), note: null, ids: ['b'], raw: Buffer.of(1) };
    const { key, ...withoutKey } = values;
    const { note, ...withoutNote } = values;
    const wrong = (database: Database) => [
      insert.run(database, values),
      // @ts-expect-error a missing parameter
      insert.run(database, withoutKey),
      // @ts-expect-error a missing parameter, although it may be null
      insert.run(database, withoutNote),
      // @ts-expect-error no parameters at all
      insert.run(database),
      // @ts-expect-error a parameter that the statement does not have
      insert.run(database, { ...values, length: 1 }),
      // @ts-expect-error a swapped pair
      insert.run(database, { ...values, key: values.size, size: key }),
      // @ts-expect-error null for a parameter that must not be null
      insert.run(database, { ...values, key: note }),
      // @ts-expect-error one value for an array
      insert.run(database, { ...values, ids: key }),
      // @ts-expect-error null in an array whose type allows none
      insert.run(database, { ...values, ids: [key, null] }),
      // @ts-expect-error text for bytes
      insert.run(database, { ...values, raw: key }),
      // @ts-expect-error a parameter for a statement without any
      plain.run(database, {}),
      // @ts-expect-error the text uses a parameter that is not declared
      statement('unknown').with({ id: 'uuid' }, ($) => `SELECT ${$.id}, ${$.other}`),
      // @ts-expect-error a type that PostgreSQL does not have
      statement('mistyped').with({ id: 'string' }, ($) => `SELECT ${$.id}`),
    ];
    expect(wrong).toBeInstanceOf(Function);
  });
});
