import { useData } from 'vitepress';
import { defineComponent, h, onMounted, ref, watch } from 'vue';

let drawings = 0;

/** Draws in the browser, in the colours of the page. Until then, and without scripts, it shows the text of the drawing. */
export const MermaidDrawing = defineComponent({
  props: { text: { type: String, required: true } },
  setup(props) {
    const { isDark } = useData();
    const svg = ref('');
    const text = decodeURIComponent(props.text);
    const draw = async () => {
      const { default: mermaid } = await import('mermaid');
      // The dark theme of mermaid writes grey on grey at the edges.
      const colours = isDark.value
        ? ({ theme: 'dark', themeVariables: { edgeLabelBackground: '#1b1b1f' } } as const)
        : ({ theme: 'default' } as const);
      mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', ...colours });
      svg.value = (await mermaid.render(`drawing-${(drawings += 1)}`, text)).svg;
    };
    onMounted(draw);
    watch(isDark, draw);
    return () => (svg.value ? h('div', { class: 'drawing', innerHTML: svg.value }) : h('pre', text));
  },
});
