import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useId, useState } from 'react';
import { answerOf, api, ask } from '../api/client';
import { Listing } from '../parts/listing';
import { TextArea, TextField } from '../parts/field';
import { Page } from '../parts/page';
import { ServerForm } from '../parts/server-form';
import { useText } from '../text/language';

const findProducts = async (q: string) =>
  (await answerOf(api.GET('/v1/products', { params: { query: q === '' ? {} : { q } } }))).items;

type Product = Awaited<ReturnType<typeof findProducts>>[number];

export function ProductsView() {
  const { products: text } = useText();
  const [edited, edit] = useState<{ product: Product; edits: number }>();
  return (
    <Page title={text.title} lead={text.lead}>
      <div className="send">
        <ProductForm key={edited?.edits ?? 0} product={edited?.product} />
        <ProductSearch onEdit={(product) => edit((before) => ({ product, edits: (before?.edits ?? 0) + 1 }))} />
      </div>
    </Page>
  );
}

/** @param product the product whose values fill the form at first */
function ProductForm({ product }: { product: Product | undefined }) {
  const { products: text } = useText();
  const queries = useQueryClient();
  /** The version that the next save expects. It is undefined for a new product. */
  const [version, setVersion] = useState(product?.version);

  async function save({ sku = '', ...body }: Record<string, unknown>): Promise<string> {
    const { body: answer } = await ask(`/v1/products/${encodeURIComponent(sku as string)}`, { method: 'PUT', body });
    const saved = answer as Product;
    if (version !== undefined) setVersion(saved.version);
    await queries.invalidateQueries({ queryKey: ['products'] });
    return text.saved(saved.version);
  }

  return (
    <section className="card" aria-labelledby="save-product">
      <h2 id="save-product">{text.editTitle}</h2>
      <ServerForm submitLabel={text.save} onSubmit={save}>
        <TextField label={text.sku} name="sku" defaultValue={product?.sku ?? 'MUG-BLUE'} spellCheck={false} />
        <TextField label={text.name} name="name" defaultValue={product?.name ?? 'Blue mug'} />
        <TextArea
          label={text.description}
          name="description"
          defaultValue={product?.description ?? 'Holds 300 ml, survives dishwashers.'}
        />
        <div className="field-pair">
          <TextField label={text.price} name="priceCents" type="number" defaultValue={product?.priceCents ?? 1290} />
          <TextField
            key={version}
            label={text.version}
            name="version"
            type="number"
            isOptional
            hint={text.versionHint}
            defaultValue={version}
          />
        </div>
      </ServerForm>
    </section>
  );
}

function ProductSearch({ onEdit }: { onEdit: (product: Product) => void }) {
  const { products: text } = useText();
  const id = useId();
  const [question, setQuestion] = useState('');
  const asked = useDeferredValue(question);
  const products = useQuery({
    queryKey: ['products', asked],
    queryFn: () => findProducts(asked),
    refetchInterval: 1_000,
    placeholderData: (before) => before,
  });
  return (
    <section className="card" aria-label={text.search}>
      <div className="field">
        <label htmlFor={id}>{text.search}</label>
        <input id={id} type="search" value={question} onChange={({ target }) => setQuestion(target.value)} />
      </div>
      <Listing query={products} rows={products.data} none={text.none}>
        {(product) => (
          <li key={product.sku} className="row product">
            <span className="row-main">
              <strong>{product.name}</strong>
              <span className="quiet">
                <code>{product.sku}</code> {product.description}
              </span>
            </span>
            <span className="row-side">{(product.priceCents / 100).toFixed(2)}</span>
            <button type="button" className="button-small row-end" onClick={() => onEdit(product)}>
              {text.edit}
              <span className="visually-hidden"> {product.sku}</span>
            </button>
          </li>
        )}
      </Listing>
    </section>
  );
}
