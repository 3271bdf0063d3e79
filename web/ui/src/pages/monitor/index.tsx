import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.monitor" commands={'portico logs --follow\nportico explain REQUEST'} />;
}
