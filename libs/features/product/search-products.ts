import { Statement, type Database } from '@app/ledger';
import type { ProductRecord } from './change-product';

export interface FoundProduct extends ProductRecord {
  /** The rank of PostgreSQL's text search; 0 without a question. */
  readonly rank: number;
}

/** The last product of the previous page. */
export type SearchPosition = Pick<FoundProduct, 'rank' | 'sku'>;

const found = `SELECT sku, name, description, price_cents AS "priceCents", version, updated_at AS "updatedAt"`;

/** The generation and its rows are read in one snapshot, so a search never mixes two generations. */
const live = `tenant = $1 AND generation = coalesce((SELECT live FROM product_model WHERE tenant = $1), 0)`;

const listStatement = new Statement<FoundProduct>(
  'product_list',
  `${found}, 0 AS rank
     FROM product_search
    WHERE ${live} AND sku > coalesce($2, '')
    ORDER BY sku
    LIMIT $3`,
);

/**
 * Matches every word of the question, as a prefix of a word or by its stem. The same parser splits the question and the
 * text into words. Each word is quoted, so that no part of it is an operator.
 */
const asked = `SELECT (SELECT string_agg('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || ''':*', ' & ')
            FROM unnest(tsvector_to_array(to_tsvector('simple', $2))) AS word)::tsquery
       || plainto_tsquery('english', $2) AS query`;

const searchStatement = new Statement<FoundProduct>(
  'product_search',
  `WITH asked AS MATERIALIZED (${asked})
   SELECT * FROM (
     ${found}, ts_rank(document, (SELECT query FROM asked))::float8 AS rank
       FROM product_search
      WHERE ${live} AND document @@ (SELECT query FROM asked)
   ) ranked
    WHERE $3::float8 IS NULL OR rank < $3 OR (rank = $3 AND sku > $4)
    ORDER BY rank DESC, sku
    LIMIT $5`,
);

/** Searches the products of a tenant, best match first. Without a question: all products, ordered by SKU. */
export async function searchProducts(
  database: Database,
  tenant: string,
  search: { question: string | undefined; after: SearchPosition | undefined; limit: number },
): Promise<FoundProduct[]> {
  const { question, after, limit } = search;
  if (question === undefined) return listStatement.run(database, tenant, after?.sku ?? null, limit);
  return searchStatement.run(database, tenant, question, after?.rank ?? null, after?.sku ?? null, limit);
}
