export const themes = ['system', 'light', 'dark'] as const;

export type Theme = (typeof themes)[number];

const storageKey = 'theme';

export function rememberedTheme(): Theme {
  const remembered = localStorage.getItem(storageKey);
  return themes.find((theme) => theme === remembered) ?? 'system';
}

/** Sets the theme of the document. For `system`, the stylesheet follows `prefers-color-scheme`. */
export function applyRememberedTheme(): void {
  const theme = rememberedTheme();
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(storageKey, theme);
  applyRememberedTheme();
}
