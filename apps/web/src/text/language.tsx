import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en, type Dictionary } from './en';
import { zh } from './zh';

export const languages = { en, zh } as const satisfies Record<string, Dictionary>;

export type Language = keyof typeof languages;

const storageKey = 'language';

interface Chosen {
  readonly language: Language;
  readonly text: Dictionary;
  readonly choose: (language: Language) => void;
}

const Context = createContext<Chosen | undefined>(undefined);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const chosen = useMemo<Chosen>(
    () => ({
      language,
      text: languages[language],
      choose: (wanted) => {
        localStorage.setItem(storageKey, wanted);
        setLanguage(wanted);
      },
    }),
    [language],
  );
  return <Context value={chosen}>{children}</Context>;
}

export function useLanguage(): Chosen {
  const chosen = useContext(Context);
  if (!chosen) throw new Error('useLanguage is called outside of LanguageProvider.');
  return chosen;
}

export const useText = (): Dictionary => useLanguage().text;

/** Returns the entry of a name that the server has given, if there is one. */
export function known<Entry>(entries: Readonly<Record<string, Entry>>, name: string): Entry | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** Returns the remembered language, or the language of the browser. */
function firstLanguage(): Language {
  const remembered = localStorage.getItem(storageKey);
  if (remembered !== null && remembered in languages) return remembered as Language;
  return navigator.language.startsWith('zh') ? 'zh' : 'en';
}
