import type { ReactNode } from 'react';
import { useText } from '../text/language';
import { ProblemNote } from './problem-note';

/** The result of a query: its rows, the text for an empty result, or the error. */
export function Listing<Item>({ query, rows, none, children }: ListingProps<Item>) {
  const text = useText();
  if (rows === undefined) {
    return query.error ? <ProblemNote error={query.error} /> : <p className="quiet">{text.loading}</p>;
  }
  if (rows.length === 0) return <p className="empty">{none}</p>;
  return (
    <>
      {query.error && <ProblemNote error={query.error} />}
      <ul className="rows">{rows.map(children)}</ul>
    </>
  );
}

interface ListingProps<Item> {
  readonly query: { readonly error: unknown };
  readonly rows: readonly Item[] | undefined;
  readonly none: string;
  readonly children: (item: Item) => ReactNode;
}
