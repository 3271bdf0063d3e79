import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.proxy" commands={'portico status\nportico key list\nportico route presets'} />;
}
