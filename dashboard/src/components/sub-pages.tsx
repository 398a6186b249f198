// The way to a page's parts, each with an address of its own.
import { Link } from "wouter";
import { cx } from "./parts";

interface SubPagesProps {
  readonly label: string;
  readonly base: string;
  readonly topics: readonly (readonly [path: string, name: string, ...unknown[]])[];
  readonly topic: string;
}

export function SubPages({ label, base, topics, topic }: SubPagesProps) {
  return (
    <nav aria-label={label} className="mb-5 flex flex-wrap gap-1">
      {topics.map(([path, name]) => (
        <Link
          key={path}
          href={path === "" ? base : `${base}/${path}`}
          aria-current={path === topic ? "page" : undefined}
          className={cx(
            "inline-flex min-h-11 items-center rounded-xl px-4 text-sm font-medium",
            path === topic ? "bg-raised text-accent" : "text-soft hover:bg-raised hover:text-ink",
          )}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
