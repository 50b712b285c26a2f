import { useLanguage } from './language';

/** Formats times, durations and numbers in the locale of the chosen language. */
export function useTime() {
  const { locale } = useLanguage().text;
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  return {
    at: (moment: string): string => {
      const date = new Date(moment);
      const isToday = date.toDateString() === new Date().toDateString();
      return isToday ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
    },
    between: (from: string, until: string): string => {
      const ms = Math.max(0, Date.parse(until) - Date.parse(from));
      return ms < 1_000 ? `${number.format(ms)} ms` : `${number.format(ms / 1_000)} s`;
    },
    number: (value: number): string => number.format(value),
  };
}
