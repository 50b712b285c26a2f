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
  const [edited, edit] = useState<Product>();
  const [saved, setSaved] = useState<Product>();

  function onSaved(product: Product): void {
    setSaved(product);
    // The version that the next change has to be one of.
    if (edited) edit(product);
  }

  return (
    <Page title={text.title} lead={text.lead}>
      <div className="send">
        <ProductForm
          key={edited ? `${edited.sku} ${edited.version}` : 'new'}
          product={edited}
          saved={saved}
          onSaved={onSaved}
        />
        <ProductSearch
          onEdit={(product) => {
            edit(product);
            setSaved(undefined);
          }}
        />
      </div>
    </Page>
  );
}

interface ProductFormProps {
  readonly product: Product | undefined;
  readonly saved: Product | undefined;
  readonly onSaved: (product: Product) => void;
}

function ProductForm({ product, saved, onSaved }: ProductFormProps) {
  const { products: text } = useText();
  const queries = useQueryClient();

  async function save({ sku = '', ...body }: Record<string, unknown>): Promise<void> {
    const { body: answer } = await ask(`/v1/products/${encodeURIComponent(sku as string)}`, { method: 'PUT', body });
    onSaved(answer as Product);
    await queries.invalidateQueries({ queryKey: ['products'] });
  }

  return (
    <section className="card" aria-labelledby="save-product">
      <h2 id="save-product">{text.editTitle}</h2>
      <ServerForm
        submitLabel={text.save}
        onSubmit={save}
        submit={<span role="status">{saved && text.saved(saved.version)}</span>}
      >
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
            label={text.version}
            name="version"
            type="number"
            isOptional
            hint={text.versionHint}
            defaultValue={product?.version}
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
