// Files that a person chose, as pictures: upright, of bearable size, or a kind word on why not.

import { fromCanvas } from "./pixels.js";

export const LARGEST = 2048; // px of the long side that is kept; a face is still hundreds wide
const SECONDS = 10; // of a video that are looked at
const RATE = 4; // frames a second that are taken out

export class Unreadable extends Error {}

// {frames: async generator of {picture, time}, notes: [key]} of an image or a video file.
export async function openFile(file) {
  if (file.type.startsWith("video/")) return { video: true, frames: videoFrames(file), notes: [] };
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new Unreadable("unreadable");
  }
  const notes = [];
  if (Math.max(bitmap.width, bitmap.height) > LARGEST) notes.push("shrunk");
  if (file.type === "image/gif") notes.push("first_frame");
  return { video: false, frames: one(bitmap), notes };
}

async function* one(bitmap) {
  const picture = drawn(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
  yield { picture, time: 0 };
}

// RGB of anything that a canvas can draw, its long side LARGEST at most.
export function drawn(source, width, height, canvas = document.createElement("canvas")) {
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, wide, high);
  return fromCanvas(context.getImageData(0, 0, wide, high));
}

async function* videoFrames(file) {
  const video = document.createElement("video");
  Object.assign(video, { muted: true, playsInline: true, preload: "auto" });
  video.src = URL.createObjectURL(file);
  try {
    await happened(video, "loadeddata");
    const length = Number.isFinite(video.duration) ? Math.min(video.duration, SECONDS) : SECONDS;
    for (let time = 0; time < length; time += 1 / RATE) {
      const ready = happened(video, "seeked");
      video.currentTime = time;
      await ready;
      yield { picture: drawn(video, video.videoWidth, video.videoHeight), time };
    }
  } finally {
    URL.revokeObjectURL(video.src);
    video.removeAttribute("src");
  }
}

function happened(video, event) {
  return new Promise((resolve, reject) => {
    video.addEventListener(event, resolve, { once: true });
    video.addEventListener("error", () => reject(new Unreadable("unreadable")), { once: true });
  });
}

// An RGB or grey picture on a canvas, as it is.
export function paint(canvas, { width, height, channels, data }) {
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    for (let colour = 0; colour < 3; colour++) {
      image.data[place * 4 + colour] = data[place * channels + (channels === 3 ? colour : 0)];
    }
    image.data[place * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
