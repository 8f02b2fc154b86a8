// The Vue component: an empty box that Vue never redraws, filled by StageController (main.js).
// Calls that come before the modules are loaded wait for them.
export default {
  template: '<div class="sm-stage" ref="root"></div>',
  props: { texts: Object, base: String, keys: Array, server: Array, kind: String },
  mounted() {
    const prefix = window.path_prefix || "";
    const emit = (name, data) => this.$emit("stage", { name, data });
    const modules = [`main.js`, `kind_${this.kind}.js`].map((name) => import(`${prefix}${this.base}/${name}`));
    this.loading = Promise.all(modules).then(([{ StageController }, { KIND }]) => {
      if (this.gone) return null;
      this.controller = new StageController(this.$refs.root, {
        texts: this.texts || {}, keys: this.keys || [], server: this.server || [], prefix, emit, kind: KIND,
      });
      this.$emit("ready", {});
      return this.controller;
    });
  },
  beforeUnmount() {
    this.gone = true;
    this.controller?.destroy();
  },
  watch: {
    texts(texts) { this.call("setTexts", texts || {}); },
  },
  methods: {
    async call(method, value) { (await this.loading)?.[method](value); },
    setView(view) { return this.call("setView", view); },
    setOptions(options) { return this.call("setOptions", options); },
    goto(frame) { return this.call("goto", frame); },
    run(action) { return this.call("run", action); },
  },
};
