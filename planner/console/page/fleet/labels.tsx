export function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  return (
    <span class="chips">
      {Object.entries(labels).map(([key, value]) => (
        <span key={key} class="chip">
          {key}={value}
        </span>
      ))}
    </span>
  )
}
