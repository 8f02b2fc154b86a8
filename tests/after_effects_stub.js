// Objects of After Effects' scripting guide, as far as the exported script uses them: what is wrong there throws here.
"use strict";
const fs = require("fs");
const vm = require("vm");

const [path, frameRate, width, height, pixelAspect, open] = process.argv.slice(2);
const HOLD = { name: "hold" }, LINEAR = { name: "linear" };
const TWO = { name: "2D" }, THREE = { name: "3D" }, ONE = { name: "1D" };
const SIZES = new Map([[TWO, [2]], [THREE, [2, 3]], [ONE, [0]]]);
const log = { alerts: [], undo: [], layers: [] };

function fail(message) { throw new Error(message); }

class Property {
    constructor(type) { this.propertyValueType = type; this.keys = []; this.value = null; }
    get numKeys() { return this.keys.length; }
    check(value) {
        const size = Array.isArray(value) ? value.length : 0;
        if (!SIZES.get(this.propertyValueType).includes(size)) fail(`a value of ${size} dimensions`);
        if (![value].flat().every(Number.isFinite)) fail("not a number");
        return value;
    }
    setValue(value) { this.value = this.check(value); }
    setValuesAtTimes(times, values) {
        if (times.length !== values.length) fail("as many times as values, please");
        times.forEach((time, i) => this.keys.push({ time, value: this.check(values[i]), out: "linear", tangents: null }));
        this.keys.sort((a, b) => a.time - b.time);
    }
    key(index) { return this.keys[index - 1] || fail(`no key ${index}`); }
    setInterpolationTypeAtKey(index, inType, outType) {
        if (inType !== HOLD && inType !== LINEAR) fail("no such interpolation");
        this.key(index).out = outType.name;
    }
    setSpatialTangentsAtKey(index, inTangent, outTangent) {
        const size = this.propertyValueType === TWO ? 2 : this.propertyValueType === THREE ? 3 : fail("not spatial");
        if (inTangent.length !== size || outTangent.length !== size) fail("tangents of the wrong dimensions");
        this.key(index).tangents = outTangent;
    }
    toJSON() { return { keys: this.keys, value: this.value }; }
}

class Group {
    constructor(children) { this.children = children; }
    property(name) { return this.children[name] || fail(`no property ${name}`); }
    toJSON() { return this.children; }
}

class Effects extends Group {
    addProperty(name) {
        const points = { "ADBE Corner Pin": [1, 2, 3, 4], "ADBE Slider Control": [1] }[name] || fail(`no effect ${name}`);
        const type = name === "ADBE Corner Pin" ? TWO : ONE;
        this.children[name] = new Group(Object.fromEntries(points.map((n) => [`${name}-000${n}`, new Property(type)])));
        return this.children[name];
    }
}

class Layer extends Group {
    constructor(kind) {
        super({
            "ADBE Transform Group": new Group({
                "ADBE Anchor Point": new Property(THREE), "ADBE Position": new Property(THREE),
                "ADBE Scale": new Property(THREE), "ADBE Rotate Z": new Property(ONE), "ADBE Opacity": new Property(ONE),
            }),
            "ADBE Effect Parade": new Effects({}),
        });
        Object.assign(this, { kind, name: "", comment: "", parent: null });
        log.layers.push(this);
    }
    toJSON() {
        const parent = this.parent ? log.layers.indexOf(this.parent) : null;
        return { kind: this.kind, name: this.name, comment: this.comment, parent, ...this.children };
    }
}

class CompItem {
    constructor() {
        this.frameRate = Number(frameRate);
        this.frameDuration = 1 / this.frameRate;
        this.width = Number(width);
        this.height = Number(height);
        this.pixelAspect = Number(pixelAspect);
        this.duration = 10;
        this.layers = {
            addNull: () => new Layer("null"),
            addSolid: (colour, name, w, h, aspect, duration) => {
                if (![w, h].every(Number.isInteger) || aspect !== this.pixelAspect || duration !== 10) fail("no such solid");
                return new Layer(`solid ${w}x${h}`);
            },
        };
    }
}

const globals = {
    CompItem, alert: (text) => log.alerts.push(text),
    KeyframeInterpolationType: { HOLD, LINEAR },
    PropertyValueType: { TwoD_SPATIAL: TWO, ThreeD_SPATIAL: THREE, OneD: ONE },
    app: {
        project: { activeItem: open === "open" ? new CompItem() : null },
        beginUndoGroup: (name) => log.undo.push(name),
        endUndoGroup: () => log.undo.push("end"),
    },
};
const before = Object.keys(globals).length;
vm.runInNewContext(fs.readFileSync(path, "latin1"), globals);
log.leaked = Object.keys(globals).slice(before);
process.stdout.write(JSON.stringify(log));
