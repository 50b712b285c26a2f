import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiQuery, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Pool } from 'pg';
import { z } from 'zod';
import {
  productFields,
  productVersion,
  sku as skuSchema,
  changeProduct,
  readProductVersion,
  searchProducts,
  type ProductRecord,
} from '@app/features/product';
import { storableText } from '@app/contracts';
import { OutboxWakeUp } from '@app/ledger';
import {
  Roles,
  CallerOf,
  type Caller,
  parseBody,
  parseQuery,
  Problem,
  nameOf,
  toFieldErrors,
  toOpenApi,
  ProblemResponse,
} from '@app/http';
import { cursorOf, searchCursor } from './search-cursor';

const productBody = productFields.extend({
  version: z
    .int32()
    .min(0)
    .optional()
    .describe('The version that you have read; 0 for a new product. Without it, any version is overwritten.'),
});

const searchQuery = z.strictObject({
  q: storableText.max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: searchCursor.optional(),
});

const productView = productFields.extend({ sku: skuSchema, version: productVersion, updatedAt: z.iso.datetime() });

type ProductView = z.output<typeof productView>;

const productPage = z.object({ items: z.array(productView), nextCursor: z.string().nullable() });

@ApiTags('products')
@Roles('user')
@Controller('v1/products')
export class ProductsController {
  constructor(
    private readonly pool: Pool,
    private readonly wakeUp: OutboxWakeUp,
  ) {}

  @Put(':sku')
  @ApiOperation({
    summary: 'Create or change a product',
    description:
      'The event `product.changed` is committed with the product. A search finds the change a moment later, when the subscriber has handled the event.',
  })
  @ApiParam({ name: 'sku', schema: toOpenApi(skuSchema) })
  @ApiBody({
    schema: {
      ...toOpenApi(productBody),
      example: { name: 'Blue mug', description: 'Holds 300 ml, survives dishwashers.', priceCents: 1290 },
    },
  })
  @ApiResponse({ status: 200, description: 'The product as it is now.', schema: toOpenApi(productView) })
  @ProblemResponse(400, 'The SKU or the body is invalid; `errors` names the fields.')
  @ProblemResponse(409, 'The product has another version by now.')
  @ProblemResponse(503, 'The database does not answer.')
  async put(@Param('sku') rawSku: string, @Body() rawBody: unknown, @CallerOf() caller: Caller): Promise<ProductView> {
    const { tenant, traceparent } = caller;
    const sku = parseSku(rawSku);
    const { version, ...fields } = parseBody(productBody, rawBody);
    const change = { tenant, sku, ...fields, expectedVersion: version, changedBy: nameOf(caller), traceparent };
    const [product] = await changeProduct.run(this.pool, change);
    if (!product) throw versionConflict(sku, version!, await readProductVersion(this.pool, tenant, sku));
    this.wakeUp.request('events');
    return viewOfProduct(product);
  }

  @Get()
  @ApiOperation({
    summary: 'Search products, the best match first',
    description:
      'Finds products that contain every word of `q`, as the beginning of a word or in another form of the word. Without `q`, lists all products by SKU.',
  })
  @ApiQuery({ name: 'q', required: false, schema: { type: 'string', maxLength: 200 } })
  @ApiQuery({ name: 'limit', required: false, schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } })
  @ApiQuery({ name: 'cursor', required: false, description: '`nextCursor` of the previous page' })
  @ApiResponse({ status: 200, description: 'A page of products.', schema: toOpenApi(productPage) })
  @ProblemResponse(400, 'A query parameter is invalid.')
  async search(@Query() rawQuery: unknown, @CallerOf() { tenant }: Caller): Promise<z.output<typeof productPage>> {
    const { q, limit, cursor } = parseQuery(searchQuery, rawQuery);
    // One more row than requested shows whether there is a next page.
    const search = { question: q || undefined, after: cursor, limit: limit + 1 };
    const found = await searchProducts(this.pool, tenant, search);
    const page = found.slice(0, limit);
    return { items: page.map(viewOfProduct), nextCursor: found.length > limit ? cursorOf(page.at(-1)!) : null };
  }
}

function viewOfProduct({ sku, name, description, priceCents, version, updatedAt }: ProductRecord): ProductView {
  return { sku, name, description, priceCents, version, updatedAt: updatedAt.toISOString() };
}

/** @throws Problem 400 */
function parseSku(raw: string): string {
  const parsed = skuSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const errors = toFieldErrors(parsed.error.issues).map(({ message }) => ({ path: 'sku', message, rule: 'sku' }));
  throw new Problem(
    400,
    'invalid_sku',
    'The SKU cannot be used',
    errors.map(({ message }) => message).join('; '),
    errors,
  );
}

function versionConflict(sku: string, expected: number, current: number): Problem {
  const there = current === 0 ? 'there is no such product' : `it has version ${current} by now`;
  return new Problem(
    409,
    'version_conflict',
    'The product has another version',
    `Expected version ${expected} of "${sku}", but ${there}. Read the product again, and change the current version.`,
  );
}
