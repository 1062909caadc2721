import { feedPlugin } from "@11ty/eleventy-plugin-rss";

export default function (config) {
  config.addFilter("day", (date) => date.toISOString().slice(0, 10));
  config.addPlugin(feedPlugin, {
    type: "rss",
    outputPath: "/feed.xml",
    collection: { name: "posts", limit: 50 },
    metadata: {
      language: "en",
      title: "The Benchmark Reader",
      subtitle: "The same posts for every tool.",
      base: "https://reader.example/",
      author: { name: "The authors" },
    },
  });
  return { dir: { output: "public" }, markdownTemplateEngine: false };
}
