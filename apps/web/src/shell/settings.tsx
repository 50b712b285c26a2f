import { useId, useState } from 'react';
import { languages, useLanguage, type Language } from '../text/language';
import { chooseTheme, rememberedTheme, themes, type Theme } from './theme';

export function Settings() {
  const { language, text, choose } = useLanguage();
  const [theme, setTheme] = useState(rememberedTheme);
  const [languageId, themeId] = [useId(), useId()];
  return (
    <div className="settings">
      <label className="visually-hidden" htmlFor={languageId}>
        {text.settings.language}
      </label>
      <select id={languageId} value={language} onChange={({ target }) => choose(target.value as Language)}>
        {Object.entries(languages).map(([key, { name }]) => (
          <option key={key} value={key} lang={key}>
            {name}
          </option>
        ))}
      </select>
      <label className="visually-hidden" htmlFor={themeId}>
        {text.settings.theme}
      </label>
      <select
        id={themeId}
        value={theme}
        onChange={({ target }) => {
          chooseTheme(target.value as Theme);
          setTheme(target.value as Theme);
        }}
      >
        {themes.map((name) => (
          <option key={name} value={name}>
            {text.settings[name]}
          </option>
        ))}
      </select>
    </div>
  );
}
