// Upload button, rows with progress, and drag and drop over the whole page. Files go one after the other, as raw bodies.
export default {
  template: `
    <div class="sm-upload">
      <label class="sm-upload-button" tabindex="0" role="button" @keydown.enter="pick" @keydown.space.prevent="pick">
        <span class="material-icons" aria-hidden="true">upload</span>{{ texts["Upload video or project"] }}
        <input ref="input" type="file" accept="video/*,.mkv,.mxf,.mov,.avi,.webm,.splazproject" multiple hidden @change="chosen">
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
      <div v-for="need in needs" :key="need.token" class="sm-upload-row sm-upload-need">
        <div class="sm-upload-ask">{{ ask(need) }}</div>
        <div class="sm-upload-state">
          <label class="sm-upload-choose" tabindex="0" role="button" @keydown.enter="press" @keydown.space.prevent="press">
            {{ texts["Choose it …"] }}
            <input type="file" accept="video/*,.mkv,.mxf,.mov,.avi,.webm" hidden @change="give(need, $event)"></label>
          <button type="button" :aria-label="texts['Do without the project']" :title="texts['Do without the project']" @click="forget(need)">
            <span class="material-icons">close</span></button>
        </div>
      </div>
      <div v-if="over" class="sm-drop">{{ texts["Drop the video or project to upload it"] }}</div>
    </div>`,
  props: { texts: Object, kind: String },
  data: () => ({ rows: [], needs: [], over: false, next: 1 }),
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
    // A project that only refers to its video waits for it: a file of its size and name is taken for that.
    add(files, token = "") {
      for (const file of files) {
        const need = this.needs.find((need) => need.size === file.size && need.name === file.name);
        this.rows.push({ id: this.next++, name: file.name, file, fraction: 0, token: token || (need ? need.token : "") });
      }
      this.send();
    },
    ask(need) {
      const values = { ...need, size: need.amount };
      return this.texts["Project {project} needs its video: {name} ({size})"].replace(/{(\w+)}/g, (_, key) => values[key]);
    },
    press(event) { event.currentTarget.querySelector("input").click(); },
    give(need, event) { this.add([...event.target.files], need.token); event.target.value = ""; },
    forget(need) {
      this.needs = this.needs.filter((other) => other.token !== need.token);
      fetch(`/upload/forget?project=${need.token}`, { method: "POST" });
    },
    send() {
      const row = this.rows[0];
      if (this.running || !row) return;
      const request = this.running = new XMLHttpRequest();
      request.open("POST", `/upload?kind=${this.kind}&project=${row.token}&name=${encodeURIComponent(row.name)}`);
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
        if (request.status === 200 && answer.session) {
          this.needs = this.needs.filter((need) => need.token !== row.token);
          this.$emit("uploaded", { session: answer.session, kind: answer.kind, notices: answer.notices });
        } else if (request.status === 200 && answer.needs) this.needs.push(answer.needs);
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
