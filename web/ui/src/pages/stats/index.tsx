import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.stats" commands={'portico logs --help'} />;
}
