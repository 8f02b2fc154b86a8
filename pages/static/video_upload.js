// Upload button, rows with progress, and drag and drop over the whole page. Files go one after the other, as raw bodies.
export default {
  template: `
    <div class="sm-upload">
      <label class="sm-upload-button" tabindex="0" role="button" @keydown.enter="pick" @keydown.space.prevent="pick">
        <span class="material-icons" aria-hidden="true">upload</span>{{ texts["Upload video"] }}
        <input ref="input" type="file" accept="video/*,.mkv,.mxf,.mov,.avi,.webm" multiple hidden @change="chosen">
      </label>
      <div v-for="row in rows" :key="row.id" class="sm-upload-row">
        <div class="sm-upload-name" :title="row.name">{{ row.name }}</div>
        <div class="sm-upload-state">
          <progress :value="row.fraction" max="1" :aria-label="row.name"></progress>
          <span>{{ row.fraction < 1 ? Math.floor(row.fraction * 100) + " %" : texts["checking …"] }}</span>
          <button type="button" :aria-label="texts['Stop the upload']" :title="texts['Stop the upload']" @click="stop(row)">
            <span class="material-icons">close</span></button>
        </div>
      </div>
      <div v-if="over" class="sm-drop">{{ texts["Drop the video to upload it"] }}</div>
    </div>`,
  props: { texts: Object, kind: String },
  data: () => ({ rows: [], over: false, next: 1 }),
  mounted() {
    this.depth = 0;
    this.running = null;
    this.handlers = {
      dragenter: (event) => { if (this.files(event)) { event.preventDefault(); this.depth++; this.over = true; } },
      dragover: (event) => { if (this.files(event)) event.preventDefault(); },
      dragleave: (event) => { if (this.files(event) && --this.depth <= 0) this.away(); },
      drop: (event) => {
        if (!this.files(event)) return;
        event.preventDefault();
        this.away();
        this.add([...event.dataTransfer.files]);
      },
      beforeunload: (event) => { if (this.rows.length) event.preventDefault(); },
    };
    for (const [name, handler] of Object.entries(this.handlers)) window.addEventListener(name, handler);
  },
  unmounted() {
    for (const [name, handler] of Object.entries(this.handlers)) window.removeEventListener(name, handler);
  },
  methods: {
    // A mask that is dropped on its own dialog is not ours to take.
    files(event) {
      const inDialog = event.target instanceof Element && event.target.closest(".q-uploader");
      return !inDialog && [...(event.dataTransfer?.types ?? [])].includes("Files");
    },
    away() { this.depth = 0; this.over = false; },
    pick() { this.$refs.input.click(); },
    chosen(event) { this.add([...event.target.files]); event.target.value = ""; },
    add(files) {
      for (const file of files) this.rows.push({ id: this.next++, name: file.name, file, fraction: 0 });
      this.send();
    },
    send() {
      const row = this.rows[0];
      if (this.running || !row) return;
      const request = this.running = new XMLHttpRequest();
      request.open("POST", `/upload?kind=${this.kind}&name=${encodeURIComponent(row.name)}`);
      request.upload.onprogress = (event) => { row.fraction = event.total ? event.loaded / event.total : 0; };
      request.onload = () => this.ended(row, request);
      request.onerror = () => this.ended(row, request);
      request.onabort = () => this.ended(row, null);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.send(row.file);
    },
    ended(row, request) {
      this.running = null;
      this.rows = this.rows.filter((other) => other.id !== row.id);
      if (request) {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* a connection that was cut off says nothing */ }
        if (request.status === 200 && answer.session) this.$emit("uploaded", { session: answer.session });
        else this.$emit("refused", { error: answer.error || "The upload was cut off; try again." });
      }
      this.send();
    },
    stop(row) {
      if (this.rows[0] === row && this.running) this.running.abort();
      else this.rows = this.rows.filter((other) => other.id !== row.id);
    },
  },
};
