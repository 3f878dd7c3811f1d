// What a page hears, for browsers on machines without a sound card. Firefox lets no AudioContext run there, so that what others send is
// recorded, decoded and measured: what is recorded is what the receiver decoded after it was opened.

/** recorded gives the strongest frequency (hertz) of each remote sound of a page, and how strong it is beside all others (0 to 1). */
export const recorded = (page) => page.evaluate(async () => {
  const all = [...document.querySelectorAll("[data-sound] audio")].filter((a) => a.srcObject !== null);
  return Promise.all(all.map(async (a) => {
    const recorder = new MediaRecorder(new MediaStream(a.srcObject.getAudioTracks()));
    const parts = [];
    recorder.ondataavailable = (e) => parts.push(e.data);
    const done = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    setTimeout(() => recorder.stop(), 1200);
    await done;
    const bytes = await new Blob(parts).arrayBuffer();
    if (bytes.byteLength === 0) return { hertz: 0, share: 0 };
    const sound = await new OfflineAudioContext(1, 48_000, 48_000).decodeAudioData(bytes);
    const n = 9_600; // 5 Hz apart
    const samples = sound.getChannelData(0).subarray(Math.max(0, sound.length - 2 * n)).subarray(0, n);
    let total = 0;
    for (const x of samples) total += x * x;
    let top = { hertz: 0, share: 0 };
    for (let hertz = 100; hertz <= 2_000; hertz += 5) {
      const c = 2 * Math.cos((2 * Math.PI * hertz) / sound.sampleRate); // Goertzel
      let [s1, s2] = [0, 0];
      for (const x of samples) [s1, s2] = [x + c * s1 - s2, s1];
      const share = total === 0 ? 0 : (2 * (s1 * s1 + s2 * s2 - c * s1 * s2)) / (samples.length * total);
      if (share > top.share) top = { hertz, share };
    }
    return top;
  }));
});

/** holds tells whether one of what was recorded is a tone. */
export const holds = (heard, hertz) => heard.some((t) => t.share > 0.3 && Math.abs(t.hertz - hertz) <= 10);
