import { statement, type Database } from '@app/ledger';
import { productColumns, type ProductRecord } from './change-product';

export interface FoundProduct extends ProductRecord {
  /** The rank of PostgreSQL's text search; 0 without a question. */
  readonly rank: number;
}

/** The last product of the previous page. */
export type SearchPosition = Pick<FoundProduct, 'rank' | 'sku'>;

/** The generation and its rows are read in one snapshot, so a search never mixes two generations. */
const liveOf = (tenant: string): string =>
  `tenant = ${tenant} AND generation = coalesce((SELECT live FROM product_model WHERE tenant = ${tenant}), 0)`;

const listStatement = statement<FoundProduct>('product_list').with(
  { tenant: 'text', after: 'text?', limit: 'int' },
  ($) => `SELECT ${productColumns}, 0 AS rank
     FROM product_search
    WHERE ${liveOf($.tenant)} AND sku > coalesce(${$.after}, '')
    ORDER BY sku
    LIMIT ${$.limit}`,
);

/**
 * Matches all words of the question as prefixes, or all by their stems. The same parser splits the question and the text
 * into words. Each word is quoted, so that no part of it is an operator.
 */
const asked = (
  question: string,
): string => `SELECT (SELECT string_agg('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || ''':*', ' & ')
            FROM unnest(tsvector_to_array(to_tsvector('simple', ${question}))) AS word)::tsquery
       || plainto_tsquery('english', ${question}) AS query`;

const searchStatement = statement<FoundProduct>('product_search').with(
  { tenant: 'text', question: 'text', rank: 'float8?', sku: 'text?', limit: 'int' },
  ($) => `WITH asked AS MATERIALIZED (${asked($.question)})
   SELECT * FROM (
     SELECT ${productColumns}, ts_rank(document, (SELECT query FROM asked))::float8 AS rank
       FROM product_search
      WHERE ${liveOf($.tenant)} AND document @@ (SELECT query FROM asked)
   ) ranked
    WHERE ${$.rank} IS NULL OR rank < ${$.rank} OR (rank = ${$.rank} AND sku > ${$.sku})
    ORDER BY rank DESC, sku
    LIMIT ${$.limit}`,
);

/** Searches the products of a tenant, best match first. Without a question: all products, ordered by SKU. */
export async function searchProducts(
  database: Database,
  tenant: string,
  search: { question: string | undefined; after: SearchPosition | undefined; limit: number },
): Promise<FoundProduct[]> {
  const { question, after, limit } = search;
  if (question === undefined) return listStatement.run(database, { tenant, after: after?.sku, limit });
  return searchStatement.run(database, { tenant, question, rank: after?.rank, sku: after?.sku, limit });
}
