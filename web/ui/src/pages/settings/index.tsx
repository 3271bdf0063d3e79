import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.settings" commands={'portico config show\nportico config keys'} />;
}
