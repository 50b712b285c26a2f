import type { JsonSchema } from '../api/routes';
import { SelectField, TextArea, TextField } from '../parts/field';
import { known, useText } from '../text/language';

/** A longer text gets a field of several lines. */
const oneLine = 500;

const inputTypes: Readonly<Record<string, string>> = {
  email: 'email',
  uri: 'url',
  e164: 'tel',
  date: 'date',
  'date-time': 'datetime-local',
  binary: 'file',
};

interface SchemaFieldsProps {
  readonly kind: string;
  readonly schema: JsonSchema;
  /** The path of the object that has the fields, such as `address.`. */
  readonly path?: string;
  /** Whether the object may be missing. Then none of its fields is required. */
  readonly isOptional?: boolean;
}

/** A field for each property of a JSON Schema, except the options, which are the same for every kind of job. */
export function SchemaFields({ kind, schema, path = '', isOptional = false }: SchemaFieldsProps) {
  const example = schema.example as Readonly<Record<string, unknown>> | undefined;
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => path !== '' || name !== 'options')
    .map(([name, property]) => (
      <SchemaField
        key={name}
        kind={kind}
        name={path + name}
        schema={{ example: example?.[name], ...property }}
        isOptional={isOptional || !schema.required?.includes(name)}
      />
    ));
}

interface SchemaFieldProps {
  readonly kind: string;
  readonly name: string;
  readonly schema: JsonSchema;
  readonly isOptional: boolean;
}

function SchemaField({ kind, name, schema: { anyOf, oneOf, ...own }, isOptional }: SchemaFieldProps) {
  const { fields, hints, values, yes, no } = useText().schema;
  // Of several forms that the server accepts, the first.
  const schema = { ...(anyOf ?? oneOf)?.[0], ...own };
  const label = known(fields, `${kind} ${name}`) ?? name;
  const hint = known(hints, `${kind} ${name}`) ?? schema.description;
  const field = {
    label,
    name,
    isOptional,
    required: !isOptional,
    ...(hint !== undefined && { hint }),
    // What is optional begins empty: an example would be one more thing to delete.
    ...(!isOptional && schema.example !== undefined && { defaultValue: shown(schema.example) }),
  };
  if (schema.enum) {
    return (
      <SelectField {...field}>
        {isOptional && <option value="" />}
        {schema.enum.map((value) => (
          <option key={shown(value)} value={shown(value)}>
            {known(values, shown(value)) ?? shown(value)}
          </option>
        ))}
      </SelectField>
    );
  }
  switch (schema.type) {
    case 'string':
      return schema.format === undefined && (schema.maxLength ?? Infinity) > oneLine ? (
        <TextArea {...field} />
      ) : (
        <TextField {...field} type={known(inputTypes, schema.format ?? '') ?? 'text'} />
      );
    case 'integer':
    case 'number':
      return (
        <TextField
          {...field}
          type="number"
          min={schema.minimum}
          max={schema.maximum}
          step={schema.type === 'integer' ? 1 : 'any'}
        />
      );
    case 'boolean':
      return (
        <SelectField {...field} data-json="">
          {isOptional && <option value="" />}
          <option value="false">{no}</option>
          <option value="true">{yes}</option>
        </SelectField>
      );
    case 'object':
      if (!schema.properties) break;
      return (
        <fieldset className="group">
          <legend>{label}</legend>
          {hint !== undefined && <p className="hint">{hint}</p>}
          <SchemaFields kind={kind} schema={schema} path={`${name}.`} isOptional={isOptional} />
        </fieldset>
      );
  }
  // A list, or an object with any fields, is written as JSON.
  return <TextArea {...field} label={`${label} (JSON)`} data-json="" spellCheck={false} />;
}

/** A value as a field shows it: text as it is, everything else as JSON. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
