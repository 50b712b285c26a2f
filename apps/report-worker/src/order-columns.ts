import type { Order } from '@app/persistence';

/** The columns of every table of orders, in their order. */
export const orderColumns = [
  'number',
  'placed_at',
  'customer',
  'country',
  'product',
  'quantity',
  'unit_price',
  'total',
  'status',
  'note',
] as const;

const euros = (cents: number): number => cents / 100;

/** A row of cells: dates and numbers as such. @param money how an amount is shown; as a number of euros otherwise */
export function cellsOf(
  order: Order,
  money: (cents: number) => string | number = euros,
): (string | number | Date | null)[] {
  return [
    order.number,
    order.placedAt,
    order.customer,
    order.country,
    order.product,
    order.quantity,
    money(order.unitPriceCents),
    money(order.totalCents),
    order.status,
    order.note,
  ];
}
