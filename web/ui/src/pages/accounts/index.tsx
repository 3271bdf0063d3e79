import { Unbuilt } from '../../kit/unbuilt';

export default function Page() {
  return <Unbuilt part="nav.accounts" commands={'portico account list\nportico account add --help'} />;
}
