import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.security" commands={'portico doctor'} />;
}
